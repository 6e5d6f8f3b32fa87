/** A self-signed certificate of `localhost` and 127.0.0.1 that is valid until 2126, for tests alone: its key is public. */
export const localhostCertificate: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUFM+343IxPGd4RPlasoEq+y6oXeYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE1MzIzMFoYDzIxMjYxMDI4
MTUzMjMwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQkUKAlzuciBwZN3nT2tOzOAQF4qAMQCNpQwjETg4bjoJeY2ydsboE2
1aoPGr7+EiD7TBwsvY1OHyhfNErThqmSo28wbTAdBgNVHQ4EFgQUOu7SHo2TIfKW
UGv3iBdHotgOWm8wHwYDVR0jBBgwFoAUOu7SHo2TIfKWUGv3iBdHotgOWm8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgGpDAT4/4vzoD7T9ene6dsurmPcBw6jmrlJzSwCmHLeICIQCB
VXSy3VdOh5kB2D3gVwyNLXTMkQYsptyCxiLxG5bxNQ==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+jJTP94wtVsoSmpc
OJprvQHtmUVEMSYgWpDsSG3Z/KKhRANCAAQkUKAlzuciBwZN3nT2tOzOAQF4qAMQ
CNpQwjETg4bjoJeY2ydsboE21aoPGr7+EiD7TBwsvY1OHyhfNErThqmS
-----END PRIVATE KEY-----
`,
};
