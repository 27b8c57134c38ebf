"""The pages, a module for each group of routes. `app.create_app` puts them together."""
