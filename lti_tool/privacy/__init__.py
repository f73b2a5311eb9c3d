"""What the law asks: where a person is held, erasures, how long things are kept, who is kept from whom."""
