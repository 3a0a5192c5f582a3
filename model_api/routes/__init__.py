"""FastAPI routes: they translate between HTTP and the use cases, and decide nothing."""
