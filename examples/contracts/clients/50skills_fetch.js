fetch("https://journeys-api.50skills.app/v1/users/", {
  method: "POST",
  headers: {
    "Content-Type": "application/json"
  },
  body: JSON.stringify({
    "name": "Samwise Gamgee",
    "email": "samwise@shire.com"
  })
})
  .then(response => response.json())
  .then(data => console.log(data))
  .catch(error => console.error(error));
