"""Several devices of one machine pulling from one queue: a process each, no collectives, one writer."""

from grue.engine.pool.engine import PoolEngine, open_pool

__all__ = ["PoolEngine", "open_pool"]
