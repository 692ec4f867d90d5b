"""What only the tutorial's further pipeline uses: sequences, transfer, layers, diagrams."""
