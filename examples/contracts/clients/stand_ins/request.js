// Does with `form:` what the package `request` did: the pairs are urlencoded, and their label
// replaces the one that the options say.
const http = require("node:http");
const querystring = require("node:querystring");

module.exports = function request(options, callback) {
  const body = querystring.stringify(options.form);
  const headers = {
    ...options.headers,
    "content-type": "application/x-www-form-urlencoded",
    "content-length": Buffer.byteLength(body),
  };
  const sent = http.request(options.url, { method: options.method, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk) => (text += chunk));
    response.on("end", () => callback(null, response, text));
  });
  sent.on("error", callback);
  sent.end(body);
};
