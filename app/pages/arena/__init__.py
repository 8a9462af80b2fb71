"""The page arena: layout, callbacks, figures, and the referee who alone knows the truth."""
