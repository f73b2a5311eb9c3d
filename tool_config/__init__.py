"""What an institution decides: settings, silos, platforms, roles, vocabulary, rules."""
