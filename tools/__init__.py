"""What the project is checked with, beside its tests. No part of the product."""
