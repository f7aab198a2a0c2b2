"""The test servers themselves: what they answer is what every other test rests on."""
import json
import os
import unittest
import urllib.error
import urllib.request

KNOX = os.environ["TPS_TEST_SERVER"]
FAULTS = os.environ["TPS_TEST_FAULTS"]


def call(url, body=None, token=None, method=None):
    """One request; (status, headers, decoded JSON or text)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    if token:
        request.add_header("Authorization", f"Token {token}")
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text


class Knox(unittest.TestCase):
    def organization(self, **settings):
        status, _, made = call(f"{KNOX}/_test/organizations/", settings)
        self.assertEqual(status, 201)
        return made

    def login(self, made, **other):
        fields = {key: made[key] for key in ("username", "password", "organization_id")}
        return call(f"{KNOX}/api/auth/login/", fields | other)

    def counts(self, made):
        return call(f"{KNOX}/_test/organizations/{made['organization_id']}/")[2]

    def test_a_token_from_login_to_logout(self):
        made = self.organization()
        status, _, body = self.login(made)
        self.assertEqual(status, 200)
        token = body["token"]
        self.assertRegex(token, r"\A[0-9a-f]{64}\Z")
        self.assertIn("expiry", body)
        status, _, body = call(f"{KNOX}/api/v1/organizations/", token=token)
        self.assertEqual((status, body["count"]), (200, 1))
        self.assertEqual(call(f"{KNOX}/api/auth/logout/", {}, token)[0], 204)
        status, _, body = call(f"{KNOX}/api/auth/logout/", {}, token)
        self.assertEqual((status, body), (401, {"detail": "Invalid token."}))
        counts = self.counts(made)
        self.assertEqual([counts[key] for key in ("logins", "tokens_made", "tokens", "logouts", "api_calls")],
                         [1, 1, 0, 1, 1])

    def test_wrong_credentials(self):
        made = self.organization()
        status, _, body = self.login(made, password="wrong")
        self.assertEqual((status, body),
                         (400, {"non_field_errors": ["Unable to log in with provided credentials."]}))
        status, _, body = self.login(made, organization_id="nope")
        self.assertEqual((status, body), (400, {"organization_id": ["Object with uuid=nope does not exist."]}))
        self.assertEqual(self.login(made, password=None)[0], 400)

    def test_the_limit_of_twenty(self):
        made = self.organization()
        self.assertEqual([self.login(made)[0] for _ in range(21)], [200] * 20 + [403])
        self.assertEqual(self.login(made)[2], {"error": "Maximum amount of tokens allowed per user exceeded."})
        self.assertEqual(self.counts(made)["tokens"], 20)

    def test_throttling(self):
        made = self.organization(throttle={"allow": 1, "wait": 60})
        self.assertEqual(self.login(made)[0], 200)
        status, headers, _ = self.login(made)
        self.assertEqual((status, headers["Retry-After"]), (429, "60"))

    def test_an_html_error(self):
        status, headers, text = self.login(self.organization(fault="html500"))
        self.assertEqual((status, headers["Content-Type"].split(";")[0]), (500, "text/html"))
        self.assertIn("Server Error", text)


class Faults(unittest.TestCase):
    def test_a_healthy_login_counts(self):
        base = f"{FAULTS}/ok/servers-ok"
        token = call(f"{base}/api/auth/login/", {"username": "a"})[2]["token"]
        self.assertEqual(call(f"{base}/api/v1/organizations/", token=token)[0], 200)
        self.assertEqual(call(f"{base}/api/v1/organizations/", token="other")[0], 401)
        self.assertEqual(call(f"{FAULTS}/_count/servers-ok")[2]["logins"], 1)

    def test_a_lost_answer(self):
        with self.assertRaises(OSError):
            call(f"{FAULTS}/close/servers-close/api/auth/login/", {})
        self.assertEqual(call(f"{FAULTS}/_count/servers-close")[2]["logins"], 1)

    def test_html_under_a_json_type(self):
        status, headers, text = call(f"{FAULTS}/html-as-json502/servers-html/api/auth/login/", {})
        self.assertEqual((status, headers["Content-Type"].split(";")[0]), (502, "application/json"))
        self.assertIsInstance(text, str)


if __name__ == "__main__":
    unittest.main()
