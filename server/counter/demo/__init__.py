"""The demo's helper on the customer's page: short messages, answers, invented customers. Only with the simulators."""
