"""Who the customer is: rules over what was read (`rules`), one-time codes (`codes`), outside questions (`ask`)."""
