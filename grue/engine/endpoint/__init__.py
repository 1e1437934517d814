"""Models behind OpenAI-compatible endpoints, through the same seam as local ones."""

from grue.engine.endpoint.engine import EndpointEngine, open_endpoint

__all__ = ["EndpointEngine", "open_endpoint"]
