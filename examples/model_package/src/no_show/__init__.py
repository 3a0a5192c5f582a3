"""Will a patient miss an appointment? An example of a model package for Servery; the data is synthetic."""
