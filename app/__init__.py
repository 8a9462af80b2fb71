"""The cockpit: a Dash app that reads the store and writes commands. It never trains, scores or imports torch."""
