"""Nets: the sandwich's layers, the checked stack, named stacks (the zoo), and two ways of writing a stack."""
