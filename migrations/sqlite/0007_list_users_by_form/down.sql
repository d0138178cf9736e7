DROP INDEX users_form_name;
