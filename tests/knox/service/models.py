import threading
from contextlib import contextmanager

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from knox.models import AbstractAuthToken

_one_writer = threading.Lock()


@contextmanager
def writing():
    # SQLite makes its writers poll for their turn; hundreds of threads would starve one another.
    with _one_writer, transaction.atomic():
        yield


def living(tokens):
    return tokens.filter(Q(expiry__gt=timezone.now()) | Q(expiry=None))


class OrganizationManager(models.Manager):
    def found(self, uuid, name, username, password):
        """A new organization whose owner is the user of that name, made where there is none yet."""
        password_hash = make_password(password)
        with writing():
            owner, _ = User.objects.update_or_create(username=username, defaults={"password": password_hash})
            organization = self.create(uuid=uuid, name=name, owner=owner)
            organization.members.add(owner)
        return organization


class Organization(models.Model):
    SETTINGS = ("token_limit", "token_life", "latency", "throttle", "fault")
    COUNTS = ("logins", "tokens_made", "logouts", "api_calls")

    uuid = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="owned")
    members = models.ManyToManyField(User, related_name="organizations")

    token_limit = models.PositiveIntegerField(null=True, blank=True, default=20)
    token_life = models.PositiveIntegerField(null=True, blank=True, default=36000)
    latency = models.FloatField(default=0)
    throttle = models.JSONField(null=True, blank=True)
    fault = models.CharField(max_length=20, null=True, blank=True, choices={"html500": "html500"})

    logins = models.PositiveIntegerField(default=0)
    tokens_made = models.PositiveIntegerField(default=0)
    logouts = models.PositiveIntegerField(default=0)
    api_calls = models.PositiveIntegerField(default=0)
    last_login_headers = models.JSONField(default=dict, blank=True)

    objects = OrganizationManager()

    class Meta:
        ordering = ("pk",)

    def count(self, counter, **changes):
        Organization.objects.filter(pk=self.pk).update(**{counter: F(counter) + 1}, **changes)

    def change(self, settings):
        for name, value in settings.items():
            setattr(self, name, value)
        self.full_clean()
        # These columns only: the others may have been counted up meanwhile.
        self.save(update_fields=settings)


class AuthToken(AbstractAuthToken):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
