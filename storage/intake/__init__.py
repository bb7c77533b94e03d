"""What clients ask is made durable here: orders, cancels, movements of money, and the commands
that become of them."""
