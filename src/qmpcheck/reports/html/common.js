/* What the scripts of all pages share. */

const byId = (id) => document.getElementById(id);

/* What the address names after its #; "" for nothing, or for what is no text. */
function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}
