"""HTTP clients of the services: one module a service, each call with a deadline and a shape that is checked."""
