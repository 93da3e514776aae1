// Keeps the last body that was posted.
const fs = require("fs");
const os = require("os");

fs.writeFileSync(`${os.tmpdir()}/started`, "");
const server = require("http").createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => { body += chunk; });
  request.on("end", () => {
    if (request.method === "POST") fs.writeFileSync("/data/kept", body);
    const kept = fs.existsSync("/data/kept") ? fs.readFileSync("/data/kept", "utf8") : "";
    response.end(`from node ${kept}\n`);
  });
});
server.listen(80);
process.on("SIGTERM", () => process.exit(0));
