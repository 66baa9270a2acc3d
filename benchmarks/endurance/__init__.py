"""What Roomtone does when parts of it die (`make chaos`) and when it runs for long (`make soak`)."""
