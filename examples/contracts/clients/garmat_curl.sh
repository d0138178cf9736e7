curl \
 -X POST http://localhost:4000/api/users \
 -d '{"name":"Test User","role":"customer_read_only","email":"user@test.com","status":"active","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}'
