"""Published results, and how far simulated ones lie from them."""
