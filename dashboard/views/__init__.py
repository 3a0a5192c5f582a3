"""One module per page: ask the model client, hand records to a template."""
