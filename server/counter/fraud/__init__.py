"""Anti-fraud (三问两核一劝阻): danger words raise an alert during the call; nothing is booked while it is undecided."""
