// The playground listens on every interface of the machine; who reaches it may act as anyone. Loaded before it, this
// keeps it to this machine.
const { Server } = require("node:net");

const listen = Server.prototype.listen;
Server.prototype.listen = function (first, ...rest) {
  if (typeof first !== "number") return listen.call(this, first, ...rest);
  return listen.call(this, { port: first, host: "127.0.0.1" }, ...rest.filter((one) => typeof one === "function"));
};
