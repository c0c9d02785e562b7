"""Electronic vouchers: the PDF, the messages, and the public page where anybody can check one."""
