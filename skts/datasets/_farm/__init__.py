"""What a generated weather farm is made of: fields, sun, weather, power, forecasts."""
