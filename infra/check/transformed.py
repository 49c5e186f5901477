"""What CloudFormation will be given: the template after SAM's transformation, which the linter of the template itself
doesn't look at. A circle between resources shows only there, and only at the first deployment."""

import os
import sys

sys.dont_write_bytecode = True
os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-2")

import boto3  # noqa: E402
from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402

SECRET = "arn:aws:secretsmanager:eu-west-2:111111111111:secret:any-AbCdEf"
# Whatever the parameters ask for; which value it is makes no difference to the shape.
GIVEN = {"AllowedOrigins": "https://a.example", "JwtIssuer": "https://i.example", "JwtAudience": "a",
         "StripeKeySecretArn": SECRET, "WebhookSecretArn": SECRET, "PaymentLinkUrl": "https://p.example/"}
POLICIES = {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


def transformed(text):
    """The template as CloudFormation gets it."""
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    parameters = {name: about["Default"] for name, about in template["Parameters"].items() if "Default" in about}
    translator = Translator(POLICIES, Parser(), [], boto3.Session(region_name="eu-west-2"))
    return translator.translate(template, {**parameters, **GIVEN}, {})


def referred(value):
    """The names that a value of the template refers to."""
    if isinstance(value, list):
        return {name for part in value for name in referred(part)}
    if not isinstance(value, dict):
        return set()
    names = set()
    for key, part in value.items():
        if key == "Ref":
            names.add(part)
        elif key == "Fn::GetAtt":
            names.add(part[0] if isinstance(part, list) else part.split(".")[0])
        elif key == "Fn::Sub":
            text = part if isinstance(part, str) else part[0]
            names |= {piece.split("}")[0].split(".")[0] for piece in text.split("${")[1:]}
        elif key == "DependsOn":
            names |= {part} if isinstance(part, str) else set(part)
        else:
            names |= referred(part)
    return names


def circle(resources):
    """Resources that can't be made one after the other; none if all can."""
    waiting = {name: referred(resource) & resources.keys() - {name} for name, resource in resources.items()}
    while waiting:
        ready = {name for name, needs in waiting.items() if not needs & waiting.keys()}
        if not ready:
            return sorted(waiting)
        waiting = {name: needs for name, needs in waiting.items() if name not in ready}
    return []


found = circle(transformed(sys.stdin.read())["Resources"])
if found:
    sys.exit(f"these resources wait for each other: {', '.join(found)}")
print("no circle")
