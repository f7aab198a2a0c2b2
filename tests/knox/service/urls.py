from django.urls import path

from . import control, views

urlpatterns = [
    path("api/auth/login/", views.LoginView.as_view()),
    path("api/auth/logout/", views.LogoutView.as_view()),
    path("api/v1/organizations/", views.OrganizationsView.as_view()),
    path("_test/counts/", control.CountsControl.as_view()),
    path("_test/organizations/", control.OrganizationsControl.as_view()),
    path("_test/organizations/<slug:uuid>/", control.OrganizationControl.as_view()),
    path("_test/organizations/<slug:uuid>/revoke/", control.RevokeControl.as_view()),
]
