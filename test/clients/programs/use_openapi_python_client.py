"""Classifies a photo by its bytes and by a form, with the generated client. Prints two labels."""

import io
import sys

from edge_client import Client
from edge_client.api.classify import classify, classify_form
from edge_client.models import ClassifyForm
from edge_client.types import File

url, path = sys.argv[1:]
with open(path, "rb") as file:
    photo = file.read()
client = Client(base_url=url, raise_on_unexpected_status=True)
print(classify.sync(client=client, body=File(payload=io.BytesIO(photo)), top_k=2).predictions[0].label)
form = ClassifyForm(image=[File(payload=io.BytesIO(photo), file_name="photo.jpg")], top_k=2)
print(classify_form.sync(client=client, body=form).results[0].predictions[0].label)
