import time
from datetime import timedelta

from django.utils.translation import gettext
from knox import views as knox
from knox.auth import TokenAuthentication
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny
from rest_framework.serializers import ModelSerializer, SlugRelatedField
from rest_framework.throttling import BaseThrottle

from .models import AuthToken, Organization, living, writing


class Fault(Exception):
    """What a test asked for."""


class LoginSerializer(AuthTokenSerializer):
    organization_id = SlugRelatedField(slug_field="uuid", queryset=Organization.objects.all())

    def validate(self, attrs):
        attrs = super().validate(attrs)
        if not attrs["organization_id"].members.contains(attrs["user"]):
            raise ValidationError(gettext("Unable to log in with provided credentials."), code="authorization")
        return attrs


class LoginThrottle(BaseThrottle):
    seconds = None

    def allow_request(self, request, view):
        if not view.named:
            return True
        with writing():
            organization = Organization.objects.get(pk=view.named.pk)
            throttle = organization.throttle
            if throttle is None:
                return True
            if throttle["allow"] > 0:
                organization.change({"throttle": {**throttle, "allow": throttle["allow"] - 1}})
                return True
            self.seconds = throttle.get("wait")
            return False

    def wait(self):
        return self.seconds


class LoginView(knox.LoginView):
    # A stale header is refused before anybody looks at the body.
    authentication_classes = (TokenAuthentication,)
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    def initial(self, request, *args, **kwargs):
        self.named = self.count_login(request)
        if self.named:
            time.sleep(self.named.latency)
            if self.named.fault:
                raise Fault(self.named.fault)
        super().initial(request, *args, **kwargs)

    def count_login(self, request):
        uuid = request.data.get("organization_id") if isinstance(request.data, dict) else None
        organization = Organization.objects.filter(uuid=str(uuid)).first()
        if organization:
            headers = {name.lower(): value for name, value in request.headers.items()}
            with writing():
                organization.count("logins", last_login_headers=headers)
        return organization

    def post(self, request, format=None):
        serializer = LoginSerializer(data=request.data, context=self.get_context())
        serializer.is_valid(raise_exception=True)
        request.user = serializer.validated_data["user"]
        # One at a time, so that the limit is exact.
        with writing():
            return super().post(request, format)

    def create_token(self):
        self.named.count("tokens_made")
        return AuthToken.objects.create(
            user=self.request.user,
            expiry=self.get_token_ttl(),
            prefix=self.get_token_prefix(),
            organization=self.named,
        )

    def get_token_ttl(self):
        life = self.named.token_life
        return None if life is None else timedelta(seconds=life)

    def get_token_limit_per_user(self):
        if self.named.token_limit is None:
            return None
        # Knox compares this with the number of the user's tokens, the service limits the organization's.
        return self.named.token_limit + living(self.request.user.auth_token_set).count() - living(self.named.tokens).count()


class LogoutView(knox.LogoutView):
    def post(self, request, format=None):
        with writing():
            request.auth.organization.count("logouts")
            return super().post(request, format)


class OrganizationSerializer(ModelSerializer):
    class Meta:
        model = Organization
        fields = ("uuid", "name")


class OrganizationPagination(PageNumberPagination):
    page_size = 50


class OrganizationsView(ListAPIView):
    serializer_class = OrganizationSerializer
    pagination_class = OrganizationPagination

    def get_queryset(self):
        return self.request.user.organizations.all()

    def list(self, request, *args, **kwargs):
        with writing():
            request.auth.organization.count("api_calls")
        return super().list(request, *args, **kwargs)
