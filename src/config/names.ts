/** What a host or a group may be called. */

export const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
export const hostNameAllowed = "up to 63 letters, digits, dots, dashes and underscores";
