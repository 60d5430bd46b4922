"""Text to equations: Antimony and SBML in, frozen ``Equations`` out, with a unit check and a linter."""
