"""NAS Helm's engine room: a library for steerable neural architecture search that works without the app."""

__version__ = "0.1.0"
