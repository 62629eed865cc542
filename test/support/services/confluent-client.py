# What a program with Confluent's Python client does with a registry. Usage: confluent-client.py URL USER PASSWORD. Prints one JSON object.
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

url, user, password = sys.argv[1:4]
client = SchemaRegistryClient({"url": url, "basic.auth.user.info": f"{user}:{password}"})


def refusal(call):
    try:
        call()
        return None
    except SchemaRegistryError as error:
        return [error.http_status_code, error.error_code]


def record(*fields):
    return Schema(json.dumps({"type": "record", "name": "Review", "namespace": "py", "fields": list(fields)}), "AVRO")


one = record({"name": "id", "type": "string"})
two = record({"name": "id", "type": "string"}, {"name": "stars", "type": ["null", "int"], "default": None})
broken = record({"name": "id", "type": "string"}, {"name": "stars", "type": "int"})
subject = "py-reviews-value"
said = {}

said["no level"] = refusal(lambda: client.get_compatibility(subject))
first = client.register_schema(subject, one)
said["again"] = client.register_schema(subject, one) == first
said["by id"] = json.loads(client.get_schema(first).schema_str)["name"]
said["lookup"] = client.lookup_schema(subject, one).version
said["level set"] = client.set_compatibility(subject_name=subject, level="BACKWARD")
said["level"] = client.get_compatibility(subject)
said["compatible"] = client.test_compatibility(subject, two)
said["broken"] = client.test_compatibility(subject, broken)
said["refused"] = refusal(lambda: client.register_schema(subject, broken))
client.register_schema(subject, two)
said["versions"] = client.get_versions(subject)
latest = client.get_latest_version(subject)
said["latest"] = [latest.subject, latest.version]
said["subjects"] = client.get_subjects()
said["unknown"] = refusal(lambda: client.get_latest_version("py-nothing"))

star = Schema(json.dumps({"type": "enum", "name": "Star", "namespace": "py", "symbols": ["A", "B"]}), "AVRO")
client.register_schema("py-star", star)
referring = Schema(
    json.dumps({"type": "record", "name": "Starred", "namespace": "py", "fields": [{"name": "star", "type": "py.Star"}]}),
    "AVRO",
    [SchemaReference("py.Star", "py-star", 1)],
)
client.register_schema("py-starred-value", referring)
said["references"] = [
    [each.name, each.subject, each.version] for each in client.get_latest_version("py-starred-value").schema.references
]
said["referenced"] = refusal(lambda: client.delete_subject("py-star"))

context = SerializationContext("py-reviews", MessageField.VALUE)
value = AvroSerializer(client, two.schema_str)({"id": "a", "stars": 5}, context)
said["decoded"] = AvroDeserializer(client)(value, context)
starred_context = SerializationContext("py-starred", MessageField.VALUE)
starred = AvroSerializer(client, referring)({"star": "B"}, starred_context)
said["starred"] = AvroDeserializer(client)(starred, starred_context)
said["value"] = value.hex()

said["deleted"] = client.delete_version(subject, 1)
said["left"] = client.get_versions(subject)
said["gone"] = client.delete_subject(subject)
said["gone for good"] = client.delete_subject(subject, permanent=True)
print(json.dumps(said))
