"""The benchmark of the engine: model, tools, timing and table."""
