"""What tests use to make, watch and change organizations. No part of the service."""

import string

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.shortcuts import get_object_or_404
from django.utils.crypto import get_random_string
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Organization, living, writing


class Control(APIView):
    authentication_classes = ()
    permission_classes = ()

    def handle_exception(self, exc):
        if isinstance(exc, ValidationError):
            return Response(exc.message_dict, status=400, exception=True)
        return super().handle_exception(exc)


class OrganizationsControl(Control):
    def post(self, request):
        wishes = dict(request.data)
        uuid = get_random_string(8, string.ascii_lowercase + string.digits)
        identity = {
            "name": wishes.pop("name", f"Academy {uuid}"),
            "username": wishes.pop("username", f"{uuid}@example.com"),
            "password": wishes.pop("password", None) or get_random_string(12),
        }
        organization = Organization.objects.found(uuid=uuid, **identity)
        change(organization, wishes)
        return Response({**describe(organization), "password": identity["password"]}, status=201)


class OrganizationControl(Control):
    def get(self, request, uuid):
        return Response(describe(get_object_or_404(Organization, uuid=uuid)))

    def patch(self, request, uuid):
        organization = get_object_or_404(Organization, uuid=uuid)
        change(organization, dict(request.data))
        return Response(describe(organization))


class RevokeControl(Control):
    def post(self, request, uuid):
        organization = get_object_or_404(Organization, uuid=uuid)
        with writing():
            organization.tokens.all().delete()
        return Response(describe(organization))


class CountsControl(Control):
    def get(self, request):
        return Response(Organization.objects.aggregate(**{name: Sum(name) for name in Organization.COUNTS}))


def change(organization, wishes):
    of_the_owner = {}
    if "active" in wishes:
        of_the_owner["is_active"] = wishes.pop("active")
    if "password" in wishes:
        of_the_owner["password"] = make_password(wishes.pop("password"))
    unknown = wishes.keys() - Organization.SETTINGS
    if unknown:
        raise ValidationError({name: "There is no such setting." for name in unknown})
    with writing():
        organization.change(wishes)
        if of_the_owner:
            User.objects.filter(pk=organization.owner_id).update(**of_the_owner)


def describe(organization):
    organization = Organization.objects.select_related("owner").get(pk=organization.pk)
    as_they_are = ("name", *Organization.SETTINGS, *Organization.COUNTS, "last_login_headers")
    return {
        "organization_id": organization.uuid,
        "username": organization.owner.username,
        "active": organization.owner.is_active,
        **{name: getattr(organization, name) for name in as_they_are},
        "tokens": living(organization.tokens).count(),
    }
