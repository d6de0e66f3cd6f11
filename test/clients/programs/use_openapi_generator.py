"""Classifies a photo by its bytes and by a form, with the generated client. Prints two labels."""

import sys

import edge_client

url, path = sys.argv[1:]
with open(path, "rb") as file:
    photo = file.read()
api = edge_client.ClassifyApi(edge_client.ApiClient(edge_client.Configuration(host=url)))
print(api.classify(body=photo, top_k=2).predictions[0].label)
print(api.classify_form(image=[photo], top_k=2).results[0].predictions[0].label)
