"""Evidence: everything known of one call in one file that anybody can check without the house."""
