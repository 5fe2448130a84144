// Unpacks the page's script and runs it, before the browser says that the page is loaded. The
// page's policy has the digests of both and lets nothing else run.
import {inflateSync, strFromU8} from "fflate";

const packed = document.getElementById("packed-script").textContent;
const script = document.createElement("script");
script.textContent = strFromU8(inflateSync(Uint8Array.from(atob(packed), (each) => each.charCodeAt(0))));
document.body.append(script);
