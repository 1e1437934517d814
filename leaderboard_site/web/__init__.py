"""The web application's own parts: requests and answers, errors, caching, limits, and the routes that only read."""
