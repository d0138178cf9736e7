curl -X POST -H 'authorization: Basic b3BzQGluZm8uY29tOnAxdjBwcjBzMW0=' \
-H 'cache-control: no-cache' \
-H 'content-type: application/json' \
-d '{
"name":"Test User",
"email":"test-user@econtext.ai",
"password":"a new password",
"applications":["ec48dad3-ca61-4d74-a584-3ee3db4708ef"]
}' \
https://auth.econtext.ai/api/users/user
