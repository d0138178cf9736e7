import requests
response = requests.post(
    "https://journeys-api.50skills.app/v1/users/",
    json={
        "name": "Samwise Gamgee",
        "email": "samwise@shire.com",
    }
)
print(response.json())
