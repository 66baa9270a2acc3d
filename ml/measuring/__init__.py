"""How good the network is: figures, photographs, webcams, whole classes."""
