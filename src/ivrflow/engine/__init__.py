"""What happens on a call: event and time in, actions and a deadline out. Pure and timeless."""
