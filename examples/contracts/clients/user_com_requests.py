import requests
url = "https://<your_app_subdomain>.user.com/api/public/users/"
payload = "{\n\"email\": \"myemail@example.org\", \n\"first_name\":\"John\", \n\"last_name\":\"Doe\" \n}"
headers = {
'authorization': "Token <your_64_char_api_key>",
'content-type': "application/json"
}
response = requests.request("POST", url, data=payload, headers=headers)
print(response.text)
