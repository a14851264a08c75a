"""How the service connects to PostgreSQL and brings its schema up to date."""
