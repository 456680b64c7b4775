"""What a call is made of: elements, arrays, window tables; and what it runs on."""
