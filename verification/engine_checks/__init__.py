"""Checks of the engine that are too long for the tests; each returns lines with figures."""
