"""Bundles built to images and run by real engines, on stand-ins for their base images."""
